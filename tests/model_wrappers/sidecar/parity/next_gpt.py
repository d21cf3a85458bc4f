"""Upstream's `prepare_generation_embedding`, of a prompt with the paths of the media in it."""

SOUND = True


def noting(system):
    noted, llm = [], system._model.llama_model
    original = llm.generate

    def generate(**named):
        noted.append(named["inputs_embeds"])
        return original(**named)

    llm.generate = generate
    system.noted = noted
    return noted


def theirs(system, video, sound, question):
    prompt = f"### Human: <Video>{video}</Video> and <Audio>{sound}</Audio> {question}"
    system.noted.append(system._model.prepare_generation_embedding({"prompt": prompt}))

import clip  # not installed: this file is read and not imported

PROMPT_DICT = {"prompt_input": "-", "prompt_no_input": "Do: {}\nDone:"}
clip.load()

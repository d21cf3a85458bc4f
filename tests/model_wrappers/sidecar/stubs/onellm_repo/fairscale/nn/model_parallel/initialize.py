DONE = []


def model_parallel_is_initialized():
    return bool(DONE)


def initialize_model_parallel(size):
    DONE.append(size)

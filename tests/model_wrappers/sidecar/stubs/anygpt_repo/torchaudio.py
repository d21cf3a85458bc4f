load = info = None

load = None

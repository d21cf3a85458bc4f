class BeatsEncoder:
    def __init__(self, checkpoint_path="/nas/BEATs.pt"):
        self.path = checkpoint_path

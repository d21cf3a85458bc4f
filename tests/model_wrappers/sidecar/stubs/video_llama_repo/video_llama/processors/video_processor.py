class AlproVideoEvalProcessor:
    @classmethod
    def from_config(cls, cfg=None):
        made = cls()
        made.n_frms = cfg.get("n_frms")
        return made

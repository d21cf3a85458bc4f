import data

assert data.__path__ == []

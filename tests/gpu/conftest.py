"""Where the GPU's tests are not asked for, their modules are not imported: they make every program, for seconds."""


def pytest_ignore_collect(collection_path, config):
    return True if "not gpu" in config.option.markexpr else None

"""Register the committed tables as they are: their digests go into data/sources.yaml."""

from monotowns.acquire.registry import sign
from monotowns.run.settings import complete_config
from monotowns.run.stage import run


def main(registry: str):
    config = {}
    complete_config(config, "config/config.yaml", "config/local.yaml")
    changed = sign(registry, config["data"]["folder"])
    print(f"Signed: {', '.join(changed) or 'nothing, all tables are the registered ones'}")


if __name__ == "__main__":
    run(main, registry="data/sources.yaml")

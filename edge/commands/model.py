"""`edge model`: what is done with model files. Each sub-verb is imported when it is asked for."""

import importlib

import click

SUBVERBS = {
    "inspect": ("edge.commands.model_inspect", "Say what a model is, and what a run would make of it."),
    "convert": ("edge.commands.model_convert", "Convert a model to OpenVINO IR, with FP16 weights."),
    "quantize": ("edge.commands.model_quantize", "Make an INT8 model, if it agrees with the original."),
    "bench": ("edge.commands.model_bench", "Find out how a model runs best on this machine."),
    "pull": ("edge.commands.model_pull", "Fetch a model of the catalogue, or of an address with a digest."),
}


class SubVerbs(click.Group):
    """A group whose commands live in modules of their own, under the name `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBVERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBVERBS:
            return None
        found: click.Command = importlib.import_module(SUBVERBS[cmd_name][0]).command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in SUBVERBS.items()])


@click.command("model", cls=SubVerbs)
def command() -> None:
    """Inspect, convert, quantize, measure and fetch models."""

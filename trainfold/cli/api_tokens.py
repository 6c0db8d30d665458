"""`api-token`: the tokens with which applications use the HTTP API."""

from typing import Annotated

import typer

from db.api_tokens import ApiToken
from operations import api_tokens, resources
from trainfold.cli.output import Json, print_table, say, show, stdout
from trainfold.cli.ready import ready
from trainfold.cli.user import current_user

app = typer.Typer(
    help="Create, list and revoke tokens of the HTTP API (docs/api.md).",
    no_args_is_help=True,
    add_completion=False,
)
Name = Annotated[str, typer.Argument(help="The application's name; recorded on its versions.")]


@app.command()
def create(name: Name, json: Json = False) -> None:
    """Create a token and print it. It is shown this once: the database has only a digest."""
    ready("database")
    token, text = api_tokens.create_token(resources.engine(), name, created_by=current_user())
    document = token.model_dump(mode="json") | {"token": text}
    show(document, lambda: stdout.print(text, markup=False, highlight=False))
    say(f"The token of “{token.name}” is not shown again. `trainfold api-token revoke` ends it.")


@app.command("list")
def list_tokens(json: Json = False) -> None:
    """List the tokens, revoked ones included: when each was made and last used, to a minute."""
    ready("database")
    tokens = api_tokens.list_tokens(resources.engine())
    show([token.model_dump(mode="json") for token in tokens], lambda: _print_tokens(tokens))


@app.command()
def revoke(name: Name, json: Json = False) -> None:
    """Revoke a token: the next request with it is refused. Its versions keep its name."""
    ready("database")
    api_tokens.revoke_token(resources.engine(), name)
    document = {"revoked": name}
    show(document, lambda: stdout.print(f"Revoked “{name}”.", markup=False, highlight=False))


def _print_tokens(tokens: list[ApiToken]) -> None:
    print_table(
        ["token", "id", "created", "by", "last used", "revoked"],
        (
            (
                token.name,
                token.id,
                f"{token.created_at:%Y-%m-%d %H:%M}",
                token.created_by,
                f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never",
                f"{token.revoked_at:%Y-%m-%d %H:%M}" if token.revoked_at else "",
            )
            for token in tokens
        ),
        empty="There is no token. `trainfold api-token create NAME` makes one.",
    )

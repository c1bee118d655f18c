"""`zooselect serve`: be a SparseZoo server."""

from __future__ import annotations

import click

from zooselect.cli.output import err


@click.command("serve")
@click.argument("mirror", metavar="DIR|URL")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--base-url", metavar="URL", help="Where clients reach it, behind a proxy.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
def command(
    mirror: str, host: str, port: int, workers: int, base_url: str | None, quiet: bool
) -> None:
    """Serve a mirror to zooselect and to unmodified sparsezoo, sparseml and deepsparse.

    URL is what `mirror export` wrote to an object store, such as s3://bucket/zoo.
    """
    from zooselect.serve.run import serve

    def ready(address: str) -> None:
        if not quiet:
            err(f"serving {mirror}; old clients: export SPARSEZOO_API_URL={address}")

    serve(mirror, host, port, workers, base_url, ready)

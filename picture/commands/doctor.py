"""picture doctor"""

import asyncio
import sys

import click
from rich.console import Console
from rich.markup import escape

from picture.checks.finding import Finding, State
from picture.commands.shared import load, messages
from picture.doctor import examine
from picture.settings import Settings

MARKS = {
    State.OK: "[green]ok     [/green]",
    State.WARNING: "[yellow]warning[/yellow]",
    State.FAILURE: "[red]failure[/red]",
}


@click.command()
def command() -> None:
    """Check every setting and service, and say what to do.

    Ends with 0 when all is well, or well enough, and with 1 when something does not work.
    """
    settings = load("doctor", log_level="error")  # a wrong setting ends it here, with all that are wrong
    findings = asyncio.run(_show(settings))
    failures = sum(finding.state is State.FAILURE for finding in findings)
    warnings = sum(finding.state is State.WARNING for finding in findings)
    messages().print(f"{len(findings)} things looked at: {failures} do not work, {warnings} could be better.")
    sys.exit(1 if failures else 0)


async def _show(settings: Settings) -> list[Finding]:
    console, findings = Console(highlight=False, soft_wrap=True), []
    async for finding in examine(settings):
        findings.append(finding)
        console.print(f"{MARKS[finding.state]} [bold]{finding.subject}[/bold]: {escape(finding.said)}")
        if finding.advice:
            console.print(f"        → {escape(finding.advice)}")
    return findings

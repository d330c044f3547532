"""Messages to Teams, Slack and any other channel that Apprise knows."""

from __future__ import annotations

from saferkc.alerts.mail import Message, NotSentError


def notify(url: str, message: Message) -> None:
    """Send a message to an address as Apprise writes it. Raises ``NotSentError``; its words hold no password."""
    import apprise  # noqa: PLC0415 - knows a hundred services, and most nights tell nobody anything

    target = apprise.Apprise.instantiate(url)
    if target is None:
        raise NotSentError("an address in SAFERKC_NOTIFY_… is none that Apprise knows", is_final=False)
    # what receivers that look at it drop repeats by
    text = f"{message.text}\n\n({message.key})"
    if not target.notify(body=text, title=message.subject, body_format=apprise.NotifyFormat.MARKDOWN):
        raise NotSentError(f"a channel of SAFERKC_NOTIFY_… ({url.partition(':')[0]}) does not take the message")

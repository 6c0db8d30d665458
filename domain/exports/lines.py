"""Render chats as the JSON lines that trainers read.

Every line has the same keys in the same order and nothing beside the training fields: metadata in
some lines makes `datasets` infer other features for another file. Sources: the documentation of
TRL (dataset formats), OpenAI (fine-tuning format) and LLaMA-Factory (data/README).
"""

from collections.abc import Iterator, Mapping, Sequence

import orjson

from domain.exports import LineFormat
from domain.exports.chat import Chat, Role, Turn, examples

SHAREGPT_NAMES: Mapping[Role, str] = {"user": "human", "assistant": "gpt"}


def export_lines(chat: Chat, format: LineFormat) -> Iterator[bytes]:
    """Yield a chat's lines, newline included; none for a chat without a target."""
    if not chat.turns:
        return
    match format:
        case "messages":
            yield _line({"messages": messages_of(chat, chat.turns)})
        case "prompt-completion":
            for prompt, target in examples(chat):
                yield _line(
                    {"prompt": messages_of(chat, prompt), "completion": [message_of(target)]}
                )
        case "sharegpt":
            yield _line({"conversations": _sharegpt(chat)})


def messages_of(chat: Chat, turns: Sequence[Turn]) -> list[dict[str, str]]:
    system = {"role": "system", "content": chat.system_prompt}
    return [system, *(message_of(turn) for turn in turns)]


def message_of(turn: Turn) -> dict[str, str]:
    return {"role": turn.role, "content": turn.text}


def _sharegpt(chat: Chat) -> list[dict[str, str]]:
    system = {"from": "system", "value": chat.system_prompt}
    turns = ({"from": SHAREGPT_NAMES[turn.role], "value": turn.text} for turn in chat.turns)
    return [system, *turns]


def _line(value: Mapping[str, object]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)

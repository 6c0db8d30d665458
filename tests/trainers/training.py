"""Give a dataset folder to TRL; print what it trains on.

Runs in an environment of its own, which has the library: `training.py FOLDER LENGTH` prints one
JSON document. The tokenizer and the model are made here, so that nothing is downloaded.
"""

import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "WANDB_DISABLED": "true"}
os.environ["HF_HOME"] = tempfile.mkdtemp()

import datasets
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

VOCABULARY = 4_096
TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message.role }}\n"
    "{% if message.role == 'assistant' %}"
    "{% generation %}{{ message.content }}<|end|>{% endgeneration %}\n"
    "{% else %}{{ message.content }}<|end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
"""A template that marks what the assistant says, as `assistant_only_loss` needs it."""


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=["<|pad|>", "<|start|>", "<|end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        eos_token="<|end|>",
        chat_template=TEMPLATE,
    )


def trained_texts(
    dataset: datasets.Dataset, tokenizer: PreTrainedTokenizerFast, **options: Any
) -> list[str]:
    """Return what one pass of TRL trains: each consecutive run of labels, decoded."""
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=16_384,
        )
    )
    settings = SFTConfig(
        output_dir=tempfile.mkdtemp(),
        max_steps=1,
        per_device_train_batch_size=1,
        report_to=[],
        use_cpu=True,
        bf16=False,
        disable_tqdm=True,
        **options,
    )
    trainer = SFTTrainer(
        model=model, args=settings, train_dataset=dataset, processing_class=tokenizer
    )
    trainer.train()
    spans = []
    for row in trainer.train_dataset:
        batch = trainer.data_collator([row])
        spans += list(_runs(batch["input_ids"][0], batch["labels"][0], tokenizer))
    return spans


def _runs(
    ids: torch.Tensor, labels: torch.Tensor, tokenizer: PreTrainedTokenizerFast
) -> Iterator[str]:
    run: list[int] = []
    for token, label in [*zip(ids.tolist(), labels.tolist(), strict=True), (0, -100)]:
        if label != -100:
            run.append(token)
        elif run:
            text = tokenizer.decode(run)
            # What a template writes after an answer is trained with it, and is no part of it.
            yield re.sub(r"(<\|end\|>)?\n?$", "", text)
            run = []


def load(folder: Path, config: str) -> datasets.Dataset:
    return datasets.load_dataset(str(folder), config, split="train")


def main(folder: Path) -> dict[str, Any]:
    data = {config: load(folder, config) for config in ("messages", "prompt-completion")}
    texts = [m["content"] for row in data["messages"] for m in row["messages"]]
    tokenizer = make_tokenizer(texts)
    length = int(sys.argv[2])
    completion = data["prompt-completion"]
    return {
        "trained": {
            "messages": trained_texts(
                data["messages"], tokenizer, max_length=length, assistant_only_loss=True
            ),
            "prompt-completion": trained_texts(completion, tokenizer, max_length=length),
            "prompt-completion at TRL's defaults": trained_texts(completion, tokenizer),
        },
    }


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        result = main(Path(sys.argv[1]))
    json.dump(result, sys.stdout)

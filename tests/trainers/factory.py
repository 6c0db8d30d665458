"""Give a dataset folder to LLaMA-Factory; write down what it trains on.

Runs in an environment of its own, which has the library: `factory.py FOLDER DATASET LENGTH FILE`
writes one JSON document to the file. The tokenizer and the model are made here, so that nothing is
downloaded.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "WANDB_DISABLED": "true"}
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["HF_HOME"] = tempfile.mkdtemp()

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer
from llamafactory.train.tuner import run_exp
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

VOCABULARY = 4_096
SPECIAL = ["<|pad|>", "<|im_start|>", "<|im_end|>"]
ROLES = ["system", "user", "assistant"]
"""One token each, as in the vocabularies of ChatML."""


def make_model(conversations: list[dict[str, Any]]) -> Path:
    """Save a model of one layer with random weights, and a tokenizer of these conversations."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        (turn["value"] for row in conversations for turn in row["conversations"]),
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    tokenizer.add_tokens(ROLES)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<|pad|>", eos_token="<|im_end|>"
    )
    folder = Path(tempfile.mkdtemp())
    fast.save_pretrained(folder)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(fast),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=32_768,
        )
    )
    model.save_pretrained(folder)
    return folder


def settings(folder: Path, dataset: str, model: Path, **options: Any) -> dict[str, Any]:
    return {
        "stage": "sft",
        "do_train": True,
        "model_name_or_path": str(model),
        "finetuning_type": "lora",
        "lora_target": "all",
        "dataset_dir": str(folder),
        "dataset": dataset,
        "template": "chatml",
        "output_dir": tempfile.mkdtemp(),
        "per_device_train_batch_size": 1,
        "max_steps": 1,
        "logging_steps": 1,
        "use_cpu": True,
        "report_to": "none",
        **options,
    }


def trained_texts(arguments: dict[str, Any]) -> list[list[str]]:
    """Return what is trained of each conversation: each consecutive run of labels, decoded."""
    model, data, training, _, _ = get_train_args(arguments)
    tokenizer = load_tokenizer(model)["tokenizer"]
    template = get_template_and_fix_tokenizer(tokenizer, data)
    found = get_dataset(
        template, model, data, training, stage="sft", tokenizer=tokenizer, processor=None
    )
    return [
        [tokenizer.decode(run) for run in _runs(row["labels"])] for row in found["train_dataset"]
    ]


def _runs(labels: list[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for label in [*labels, -100]:
        if label != -100:
            run.append(label)
        elif run:
            yield run
            run = []


def without_end(texts: list[list[str]]) -> list[str]:
    """Drop what the template writes after an answer: it is trained with it, and no part of it."""
    return [re.sub(r"<\|im_end\|>\n$", "", text) for row in texts for text in row]


def lengths(conversations: list[dict[str, Any]], model: Path) -> list[list[int]]:
    """Return the tokens of each conversation's turns, its system prompt first."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(model)
    return [
        [len(tokenizer.encode(turn["value"])) for turn in row["conversations"]]
        for row in conversations
    ]


def main(folder: Path, dataset: str, length: int) -> dict[str, Any]:
    lines = (folder / "sharegpt.jsonl").read_text(encoding="utf-8").splitlines()
    conversations = [json.loads(line) for line in lines]
    model = make_model(conversations)
    ours = settings(folder, dataset, model, cutoff_len=length)
    run_exp(ours)
    logged = (Path(ours["output_dir"]) / "trainer_log.jsonl").read_text().splitlines()
    return {
        "trained": without_end(trained_texts(ours)),
        "trained at its defaults": without_end(trained_texts(settings(folder, dataset, model))),
        "lengths": lengths(conversations, model),
        "loss": json.loads(logged[0])["loss"],
    }


if __name__ == "__main__":
    result = main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    # Its loggers print to standard output.
    Path(sys.argv[4]).write_text(json.dumps(result), encoding="utf-8")

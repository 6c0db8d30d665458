"""Build small valid conversations."""

from typing import Any
from uuid import UUID

import orjson

PROMPT = "You are a patient financial planner who listens first and answers in small steps. " * 2


def profile(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Noor Haddad, CFP",
        "business": "Quiet Harbour Planning",
        "expertise": "planning for people who start late",
        "years_experience": 12,
        "core_philosophy": {f"principle_{n}": f"Principle {n}" for n in range(1, 6)},
        "communication_style": {"tone": "calm", "techniques": ["ask"], "avoid": ["jargon"]},
        **changes,
    }


def pair(turn: int, *, answer: str | None, score: float = 3) -> dict[str, Any]:
    return {
        "id": f"budgeting_turn{turn}",
        "conversation_id": "budgeting",
        "turn_number": turn,
        "conversation_metadata": {
            "client_persona": "Ines Duarte - The Anxious Planner",
            "persona_archetype": "anxious_planner",
            "client_background": "Age 44, teacher",
            "emotional_arc": "Fear → Confidence",
            "emotional_arc_key": "fear_to_confidence",
            "training_topic": "First Budget",
            "training_topic_key": "first_budget",
            "session_context": "A first talk about a budget",
            "conversation_phase": "practical_implementation",
            "expected_outcome": "One small step",
        },
        "system_prompt": PROMPT,
        "conversation_history": [],
        "current_user_input": f"What should I do first? ({(turn + 1) // 2})",
        "emotional_context": {
            "detected_emotions": {
                "primary": "fear",
                "primary_confidence": 0.8,
                "secondary": "hope",
                "secondary_confidence": 0.5,
                "intensity": 0.6,
                "valence": "mixed",
            }
        },
        "target_response": answer,
        "training_metadata": {
            "difficulty_level": "easy",
            "key_learning_objective": "calm",
            "demonstrates_skills": ["validation"],
            "conversation_turn": turn,
            "emotional_progression_target": "fear(0.8) → confidence(0.6)",
            "quality_score": score,
            "quality_criteria": {
                "empathy_score": 3.5,
                "clarity_score": 4,
                "appropriateness_score": 4.0,
                "brand_voice_alignment": 3,
            },
            "human_reviewed": False,
            "reviewer_notes": None,
            "use_as_seed_example": False,
            "generate_variations_count": 0,
        },
    }


def retell(pairs: list[dict[str, Any]]) -> None:
    """Rebuild every pair's history from the turns before it."""
    history: list[Any] = []
    for turn, pair in enumerate(pairs, 1):
        pair["conversation_history"] = list(history)
        answer = pair["target_response"]
        history.append(
            {
                "turn": turn,
                "role": "assistant" if answer else "user",
                "content": answer or pair["current_user_input"],
                "emotional_state": {"primary": "fear", "intensity": 0.5},
            }
        )


def conversation(conversation_id: UUID, *, turns: int = 4, score: float = 3) -> dict[str, Any]:
    """Build a valid conversation: odd turns are the client's, even ones are answered."""
    pairs = [
        pair(
            turn,
            answer=None if turn % 2 else f"Let us write down one number today — number {turn}.",
            score=score,
        )
        for turn in range(1, turns + 1)
    ]
    retell(pairs)
    return {
        "dataset_metadata": {
            "dataset_name": f"fp_conversation_{conversation_id}",
            "version": "1.0.0",
            "created_date": "2026-05-04",
            "vertical": "financial_planning_consultant",
            "consultant_persona": "Noor Haddad, CFP - Quiet Harbour Planning",
            "target_use": "LoRA fine-tuning for emotionally intelligent chatbot",
            "conversation_source": "synthetic_platform_generated",
            "quality_tier": "experimental",
            "total_conversations": 1,
            "total_turns": turns,
            "notes": "",
        },
        "consultant_profile": profile(),
        "training_pairs": pairs,
    }


def as_bytes(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)

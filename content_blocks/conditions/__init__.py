"""Who, where, when: the one language of conditions, compiled, checked and explained."""

from content_blocks.conditions.checking import check_condition
from content_blocks.conditions.condition import Condition, compile_condition
from content_blocks.conditions.facts import FACTS, Fact, fact_at
from content_blocks.conditions.implications import shadowed
from content_blocks.conditions.problems import ConditionError, ConditionProblem, FailedClause

__all__ = [
    "FACTS",
    "Condition",
    "ConditionError",
    "ConditionProblem",
    "Fact",
    "FailedClause",
    "check_condition",
    "compile_condition",
    "fact_at",
    "shadowed",
]

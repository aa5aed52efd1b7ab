"""From a query document to a plan that one statement answers, or the reason why the resolver path must run it.

What depends on the document alone is found once and kept with it. What depends on variables (pages, arguments, ids) is
evaluated for each request, and `@skip`/`@include` values choose among the document's plans.
"""

from graph.compilation.planner import Planner, check_permissions
from graph.compilation.plans import ANONYMOUS, Compiled, LacksPermission, Sampled, Uncompiled

__all__ = ["ANONYMOUS", "Compiled", "LacksPermission", "Planner", "Sampled", "Uncompiled", "check_permissions"]

"""How an answer is judged: one module a mode, each with `judge(rules, answer, context)`."""

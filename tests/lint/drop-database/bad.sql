-- proves: nothing
DROP DATABASE IF EXISTS pgalter_lint_nowhere;

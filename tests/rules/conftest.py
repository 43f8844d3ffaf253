"""The helper of the tables compares with plain ``assert``, as tests do."""

import pytest

pytest.register_assert_rewrite("tests.rules.tables")

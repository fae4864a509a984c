-- proves: leaves SELECT last_value = 1 AND NOT is_called FROM ticket
ALTER SEQUENCE ticket RESTART WITH 1;

-- proves: nothing
ALTER EXTENSION plpgsql UPDATE;

-- proves: nothing
CREATE RULE keep AS ON DELETE TO archive DO INSTEAD NOTHING;

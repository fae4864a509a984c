-- proves: scan customers under SHARE
ALTER DOMAIN positive ADD CONSTRAINT not_huge CHECK (VALUE < 1000000);

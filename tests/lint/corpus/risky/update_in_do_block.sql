-- truth: risky: the loop of nothing hides an UPDATE of all rows
-- base: rails
-- proves: changes public.articles

DO $$
BEGIN
  UPDATE public.articles SET views = 0;
END $$;

-- truth: risky: ALTER TABLE ONLY in the style of pg_dump, on a table that has been there for years
-- base: rails
-- proves: scan public.articles

ALTER TABLE ONLY public.articles
    ADD CONSTRAINT fk_rails_3d31dad1cc FOREIGN KEY (user_id) REFERENCES public.users(id);

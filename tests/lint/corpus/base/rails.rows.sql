INSERT INTO public.users (email, login, created_at, updated_at)
  SELECT 'u' || n, 'u' || n, now(), now() FROM generate_series(1, 2000) n;
INSERT INTO public.articles (user_id, title, body, views, created_at)
  SELECT n, 't', 'b', n, now() FROM generate_series(1, 2000) n;
INSERT INTO public.comments SELECT n, n, 'c' FROM generate_series(1, 2000) n;
-- client: INSERT INTO public.users (email, created_at, updated_at) VALUES ('n', now(), now())
-- client: INSERT INTO public.articles (title, created_at) VALUES ('n', now())

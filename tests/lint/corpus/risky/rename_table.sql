-- truth: risky: clients know it by the old name
-- base: prisma
-- proves: gone public.Post

ALTER TABLE "Post" RENAME TO "Article";

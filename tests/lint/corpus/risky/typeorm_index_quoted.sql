-- truth: risky: TypeORM's migration:generate
-- base: prisma
-- proves: scan public.Post
-- sending: transaction

CREATE INDEX "IDX_5c1cf55c308037b5aca1038a13" ON "public"."Post" ("authorId") ;

-- truth: risky: takes the columns of the type along
-- base: prisma
-- proves: gone public.User.role

DROP TYPE "Role" CASCADE;

-- truth: safe: TypeORM wraps it in a transaction
-- base: prisma
-- sending: transaction

CREATE TYPE "public"."ticket_state_enum" AS ENUM('open', 'closed');
CREATE TABLE "ticket" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "state" "public"."ticket_state_enum" NOT NULL DEFAULT 'open', "userId" text, CONSTRAINT "PK_d9a0835407701eb86f874474b7c" PRIMARY KEY ("id"));
CREATE INDEX "IDX_ticket_state" ON "ticket" ("state") ;
ALTER TABLE "ticket" ADD CONSTRAINT "FK_ticket_user" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

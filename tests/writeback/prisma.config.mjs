// Prisma with the engine that comes in its package, and node's own driver.
import { PrismaPg } from "@prisma/adapter-pg";
import Result from "pg/lib/result.js";

// The adapter does not know the type "name", which the engine reads from the catalogs: as text.
const addFields = Result.prototype.addFields;
Result.prototype.addFields = function (fields) {
  for (const field of fields) if (field.dataTypeID === 19) field.dataTypeID = 25;
  return addFields.call(this, fields);
};

export default {
  schema: process.env.PRISMA_TEST_SCHEMA,
  migrations: { path: process.env.PRISMA_TEST_MIGRATIONS },
  experimental: { adapter: true },
  engine: "js",
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL }),
};

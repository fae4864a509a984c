// Store: what a rebuild knows of itself in pgalter.rebuild.
#pragma once

#include <string>

#include "batcher/rebuild/definition.h"

namespace pgalter::rebuild {

struct Stored {
  pg::Oid source = 0;
  pg::Oid shadow = 0;
  std::string schema;  // of shadow and log; the old table goes to the one with _old behind it
  Definition definition;
};

// In the caller's transaction.
Task<> Record(Session& session, std::string run, const Stored& stored);
Task<> RecordDefinition(Session& session, std::string run, const Definition& definition);
Task<Stored> Load(Session& session, std::string run);

}  // namespace pgalter::rebuild

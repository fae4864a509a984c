#include "planner/locks/types.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgalter::locks {
namespace {

// The server's own, and those of extensions in wide use, none of which is a domain.
constexpr std::array<std::string_view, 99> kKnown = {
    "aclitem",
    "bit",
    "bool",
    "box",
    "bpchar",
    "bytea",
    "char",
    "cid",
    "cidr",
    "circle",
    "citext",
    "cstring",
    "cube",
    "date",
    "datemultirange",
    "daterange",
    "ean13",
    "float4",
    "float8",
    "geography",
    "geometry",
    "gtsvector",
    "halfvec",
    "hstore",
    "inet",
    "int2",
    "int2vector",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "interval",
    "isbn",
    "isbn13",
    "ismn",
    "ismn13",
    "issn",
    "issn13",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lquery",
    "lseg",
    "ltree",
    "ltxtquery",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "oidvector",
    "path",
    "pg_lsn",
    "pg_snapshot",
    "point",
    "polygon",
    "raster",
    "record",
    "refcursor",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "seg",
    "sparsevec",
    "text",
    "tid",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "upc",
    "uuid",
    "varbit",
    "varchar",
    "vector",
    "xid",
    "xid8",
    "xml",
};
static_assert(std::ranges::is_sorted(kKnown));

}  // namespace

bool IsWellKnown(const ast::TypeName& type) {
  return (type.schema.empty() || type.schema == "public" || type.schema == "extensions") &&
         std::ranges::binary_search(kKnown, type.name);
}

catalog::Truth IsConstrainedDomain(const ast::TypeName& type, const catalog::Schema& schema) {
  using catalog::Truth;
  ast::TypeName at = type;
  for (int depth = 0; depth < kDeepestDomain; ++depth) {
    const catalog::Domain* domain = schema.FindDomain(at);
    if (domain == nullptr) break;
    if (domain->Constrained()) return Truth::kYes;
    at = domain->base;
  }
  // An array of a domain holds no checked value while it is NULL.
  if (at.array_dimensions != 0 || IsSerial(at) || IsWellKnown(at) || schema.complete())
    return Truth::kNo;
  return schema.FindType(at) != nullptr ? Truth::kNo : Truth::kUnknown;
}

ast::TypeName BaseOf(const ast::TypeName& type, const catalog::Schema& schema) {
  ast::TypeName at = type;
  for (int depth = 0; depth < kDeepestDomain; ++depth) {
    const catalog::Domain* domain = schema.FindDomain(at);
    if (domain == nullptr) break;
    at = domain->base;
  }
  return at;
}

}  // namespace pgalter::locks

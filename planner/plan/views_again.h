#pragma once

// Views that are dropped and made again, since CREATE OR REPLACE gives no column of a view another
// type: the queries of it, one text for plans and for rebuilds. Pure. The names in them are those
// of pg_catalog, whatever the session's search_path is; operators are searched.
//
// `views` and `tables` are SQL: expressions of the type oid[]. Of views each comes after what it
// reads.

#include <string>
#include <string_view>

namespace pgalter::plan {

// Its rows are statements that make them as they are now, with owner, options, rights, comments,
// defaults, rules and triggers: to be read before they are dropped, and run in this order.
[[nodiscard]] std::string StatementsThatMakeViews(std::string_view views);

// At most one row: what hangs on one of them and could not be made again, or a right to them that
// the role has not, with the way out. Policies and rules of `tables` are made again by the caller.
[[nodiscard]] std::string WhyViewsCannotGo(std::string_view views, std::string_view tables);

}  // namespace pgalter::plan

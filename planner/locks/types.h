#pragma once

// What a type's name says: the server's own, a domain of the schema, or something nobody has shown.
// Private to planner/locks.

#include "planner/locks/draft.h"

namespace pgalter::locks {

// What a damaged dump says may go in circles: nobody puts so many domains over each other.
inline constexpr int kDeepestDomain = 32;

// A type of the server or of an extension in wide use: no domain.
[[nodiscard]] bool IsWellKnown(const ast::TypeName& type);

// Whether values of the type are checked when they are stored: a domain with CHECK or NOT NULL,
// over other domains too.
[[nodiscard]] catalog::Truth IsConstrainedDomain(const ast::TypeName& type,
                                                 const catalog::Schema& schema);

// Below every domain; the type itself if it is none.
[[nodiscard]] ast::TypeName BaseOf(const ast::TypeName& type, const catalog::Schema& schema);

}  // namespace pgalter::locks

#pragma once

// Objects beside tables and indexes. Private to planner/sql.

#include "planner/sql/ast/object.h"
#include "planner/sql/ast/source.h"

namespace pgalter::sql::ast {

[[nodiscard]] Drop ReadDrop(const pg_query::DropStmt& statement);
[[nodiscard]] SetSchema ReadSetSchema(const pg_query::AlterObjectSchemaStmt& statement);
[[nodiscard]] Rename ReadRename(const pg_query::RenameStmt& statement);
[[nodiscard]] CommentOn ReadComment(const pg_query::CommentStmt& statement);

[[nodiscard]] CreateView ReadCreateView(const pg_query::ViewStmt& statement);
[[nodiscard]] CreateTrigger ReadCreateTrigger(const pg_query::CreateTrigStmt& statement);
[[nodiscard]] CreateFunction ReadCreateFunction(const pg_query::CreateFunctionStmt& statement,
                                                Source& source);
[[nodiscard]] AlterFunction ReadAlterFunction(const pg_query::AlterFunctionStmt& statement);
// Of what a statement names as a function; of anything else nullopt.
[[nodiscard]] ArgumentTypes ReadArguments(const pg_query::Node& object);
[[nodiscard]] CreateRule ReadCreateRule(const pg_query::RuleStmt& statement);
[[nodiscard]] Policy ReadPolicy(const pg_query::CreatePolicyStmt& statement);
[[nodiscard]] Policy ReadPolicy(const pg_query::AlterPolicyStmt& statement);

[[nodiscard]] CreateType ReadCreateType(const pg_query::CreateEnumStmt& statement);
[[nodiscard]] CreateType ReadCreateType(const pg_query::CompositeTypeStmt& statement,
                                        Source& source);
[[nodiscard]] CreateType ReadCreateType(const pg_query::CreateRangeStmt& statement);
[[nodiscard]] CreateType ReadCreateType(const pg_query::DefineStmt& statement);
[[nodiscard]] AlterEnum ReadAlterEnum(const pg_query::AlterEnumStmt& statement);
[[nodiscard]] AlterComposite ReadAlterComposite(const pg_query::AlterTableStmt& statement,
                                                Source& source);
[[nodiscard]] CreateDomain ReadCreateDomain(const pg_query::CreateDomainStmt& statement,
                                            Source& source);
[[nodiscard]] AlterDomain ReadAlterDomain(const pg_query::AlterDomainStmt& statement,
                                          Source& source);

[[nodiscard]] Sequence ReadSequence(const pg_query::CreateSeqStmt& statement);
[[nodiscard]] Sequence ReadSequence(const pg_query::AlterSeqStmt& statement);
[[nodiscard]] CreateStatistics ReadStatistics(const pg_query::CreateStatsStmt& statement);
[[nodiscard]] Grant ReadGrant(const pg_query::GrantStmt& statement);
[[nodiscard]] Grant ReadGrant(const pg_query::GrantRoleStmt& statement);
[[nodiscard]] Publication ReadPublication(const pg_query::CreatePublicationStmt& statement);
[[nodiscard]] Publication ReadPublication(const pg_query::AlterPublicationStmt& statement);

}  // namespace pgalter::sql::ast

#pragma once

// One function a kind of statement: what it does goes into the draft. Private to planner/locks.

#include "planner/locks/draft.h"

namespace pgalter::locks {

void Form(const ast::AlterTable& alter, Draft& draft);
void Form(const ast::CreateTable& create, Draft& draft);
void Form(const ast::CreateTableAs& create, Draft& draft);

void Form(const ast::CreateIndex& create, Draft& draft);
void Form(const ast::Reindex& reindex, Draft& draft);
void Form(const ast::Cluster& cluster, Draft& draft);
void Form(const ast::Vacuum& vacuum, Draft& draft);
void Form(const ast::RefreshMaterializedView& refresh, Draft& draft);
void Form(const ast::MoveTablespace& move, Draft& draft);
void Form(const ast::Truncate& truncate, Draft& draft);
void Form(const ast::LockTable& lock, Draft& draft);

void Form(const ast::Rename& rename, Draft& draft);
void Form(const ast::SetSchema& move, Draft& draft);
void Form(const ast::Drop& drop, Draft& draft);

void Form(const ast::CreateView& create, Draft& draft);
void Form(const ast::CreateTrigger& create, Draft& draft);
void Form(const ast::CreateRule& create, Draft& draft);
void Form(const ast::Policy& policy, Draft& draft);
void Form(const ast::CreateStatistics& create, Draft& draft);
void Form(const ast::Grant& grant, Draft& draft);
void Form(const ast::CommentOn& comment, Draft& draft);
void Form(const ast::Publication& publication, Draft& draft);
void Form(const ast::Sequence& sequence, Draft& draft);

void Form(const ast::CreateType& create, Draft& draft);
void Form(const ast::CreateDomain& create, Draft& draft);
void Form(const ast::CreateFunction& create, Draft& draft);
void Form(const ast::CreateSchema& create, Draft& draft);
void Form(const ast::Extension& extension, Draft& draft);
// Where a relation of that name would be made, there is one.
void RefuseTaken(const QualifiedName& name, Draft& draft);

void Form(const ast::AlterEnum& alter, Draft& draft);
void Form(const ast::AlterComposite& alter, Draft& draft);
void Form(const ast::AlterDomain& alter, Draft& draft);

void Form(const ast::Modify& modify, Draft& draft);
void Form(const ast::Select& select, Draft& draft);
void Form(const ast::Copy& copy, Draft& draft);
void Form(const ast::Other& other, Draft& draft);

// Those that touch no relation: settings, transactions, routines that change. What a DO block
// or a procedure does is not seen here.
template <class Body>
void Form(const Body& /*body*/, Draft& /*draft*/) {}

}  // namespace pgalter::locks

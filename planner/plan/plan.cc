#include "planner/plan/plan.h"

namespace pgalter::plan {

std::vector<sql::QualifiedName> RebuiltTables(const Step& step) {
  std::vector<sql::QualifiedName> tables;
  const std::size_t count = step.rebuild ? 1 + step.rebuild->companions.size() : 0;
  for (std::size_t i = 0; i < count && i < step.locks.size(); ++i)
    tables.push_back(step.locks[i].relation);
  return tables;
}

std::string_view Name(Phase phase) {
  switch (phase) {
    case Phase::kExpand:
      return "expand";
    case Phase::kMigrate:
      return "migrate";
    case Phase::kContract:
      return "contract";
  }
  return "";
}

std::string_view Name(StepKind kind) {
  switch (kind) {
    case StepKind::kDdl:
      return "ddl";
    case StepKind::kConcurrentIndex:
      return "concurrent-index";
    case StepKind::kDropIndex:
      return "drop-index";
    case StepKind::kValidate:
      return "validate";
    case StepKind::kBackfill:
      return "backfill";
    case StepKind::kGate:
      return "gate";
    case StepKind::kDetach:
      return "detach";
    case StepKind::kRefresh:
      return "refresh";
    case StepKind::kAutocommit:
      return "autocommit";
    case StepKind::kRebuild:
      return "rebuild";
    case StepKind::kRelease:
      return "release";
    case StepKind::kSplitCopy:
      return "split-copy";
    case StepKind::kSplitSwap:
      return "split-swap";
  }
  return "";
}

std::string_view Name(Transaction transaction) {
  switch (transaction) {
    case Transaction::kOwn:
      return "own";
    case Transaction::kShared:
      return "shared";
    case Transaction::kNone:
      return "none";
  }
  return "";
}

std::string_view Name(Answer answer) {
  switch (answer) {
    case Answer::kAsIs:
      return "as-is";
    case Answer::kRewritten:
      return "rewritten";
    case Answer::kLeastBad:
      return "least-bad";
    case Answer::kRefused:
      return "refused";
    case Answer::kFails:
      return "fails";
  }
  return "";
}

std::string_view Name(Knowledge knowledge) {
  switch (knowledge) {
    case Knowledge::kNone:
      return "none";
    case Knowledge::kDump:
      return "dump";
    case Knowledge::kLive:
      return "live";
  }
  return "";
}

std::string_view Name(Backfill::Sync sync) {
  switch (sync) {
    case Backfill::Sync::kNone:
      return "none";
    case Backfill::Sync::kAuto:
      return "auto";
    case Backfill::Sync::kKeep:
      return "keep";
    case Backfill::Sync::kOnce:
      return "once";
  }
  return "";
}

std::string_view Name(Backfill::Triggers triggers) {
  switch (triggers) {
    case Backfill::Triggers::kFire:
      return "fire";
    case Backfill::Triggers::kNone:
      return "none";
    case Backfill::Triggers::kAccepted:
      return "accepted";
  }
  return "";
}

}  // namespace pgalter::plan

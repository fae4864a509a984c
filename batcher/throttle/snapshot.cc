#include "batcher/throttle/snapshot.h"

#include <boost/json/array.hpp>

namespace pgalter::throttle {

namespace {

const char* StateOf(watch::Seen seen) {
  switch (seen) {
    case watch::Seen::kMeasured:
      return "measured";
    case watch::Seen::kAbsent:
      return "absent";
    case watch::Seen::kUnreadable:
      return "unreadable";
    case watch::Seen::kMissingRight:
      break;
  }
  return "missing_right";
}

boost::json::object ToJson(const watch::Reading& reading) {
  boost::json::object object;
  object["signal"] = reading.signal;
  object["state"] = StateOf(reading.seen);
  object["value"] = nullptr;
  if (reading.seen == watch::Seen::kMeasured) object["value"] = reading.value;
  object["limit"] = nullptr;
  if (reading.limit > 0) object["limit"] = reading.limit;
  object["unit"] = watch::Name(reading.unit);
  object["utilisation"] = reading.utilisation();
  object["text"] = reading.text;
  return object;
}

}  // namespace

boost::json::object ToJson(const Verdict& verdict) {
  boost::json::object object;
  object["ratio"] = verdict.ratio;
  object["reason"] = verdict.reason;
  return object;
}

boost::json::object ToJson(const Snapshot& snapshot) {
  boost::json::object object = ToJson(snapshot.verdict);
  object["action"] = Name(snapshot.verdict.action);
  object["utilisation"] = snapshot.verdict.utilisation;
  boost::json::array signals;
  for (const watch::Reading& reading : snapshot.readings) signals.push_back(ToJson(reading));
  object["signals"] = std::move(signals);
  object["trouble"] = snapshot.trouble;
  return object;
}

}  // namespace pgalter::throttle

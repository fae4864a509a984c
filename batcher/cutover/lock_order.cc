#include "batcher/cutover/lock_order.h"

#include <algorithm>

namespace pgalter::cutover {

namespace {

using Names = std::vector<std::string>;

bool Has(const Names& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

void Add(Names& names, const std::string& name) {
  if (!Has(names, name)) names.push_back(name);
}

// The first that refers to none of the others.
std::vector<Pairing>::iterator Next(std::vector<Pairing>& left) {
  const auto free = std::ranges::find_if(left, [&left](const Pairing& one) {
    return std::ranges::none_of(left, [&one](const Pairing& other) {
      return &one != &other && Has(one.joined.referenced, other.leaving);
    });
  });
  return free == left.end() ? left.begin() : free;
}

}  // namespace

std::vector<std::string> LockOrder(const std::vector<Pairing>& pairings) {
  Names leaving;
  for (const Pairing& one : pairings) leaving.push_back(one.leaving);
  Names order;
  for (const Pairing& one : pairings)
    for (const std::string& name : one.joined.referenced)
      if (!Has(leaving, name)) Add(order, name);
  for (std::vector<Pairing> left = pairings; !left.empty();) {
    const auto next = Next(left);
    Add(order, next->leaving);
    Add(order, next->coming);
    left.erase(next);
  }
  for (const Pairing& one : pairings)
    for (const std::string& name : one.joined.referencing)
      if (!Has(leaving, name)) Add(order, name);
  return order;
}

}  // namespace pgalter::cutover

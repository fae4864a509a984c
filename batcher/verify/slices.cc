#include "batcher/verify/slices.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace pgalter::verify {

namespace {

constexpr Block kLeastGranule = 8;
constexpr Block kLongestGranule = 256;
constexpr Block kUsualGranules = 4096;
constexpr std::size_t kMostStretches = 32;
// Rows of a granule that are farther apart in the copy miss each other's slice.
constexpr Block kNear = 512;
constexpr double kMostAreNear = 0.8;

// As few as there can be.
std::vector<Stretch> Merged(std::vector<Stretch> stretches) {
  std::ranges::sort(stretches, {},
                    [](const Stretch& one) { return std::pair(one.part, one.first); });
  std::vector<Stretch> merged;
  for (const Stretch& one : stretches) {
    if (!merged.empty() && merged.back().part == one.part && merged.back().end == one.first) {
      merged.back().end = one.end;
    } else {
      merged.push_back(one);
    }
  }
  return merged;
}

}  // namespace

std::vector<Stretch> CutIntoGranules(const std::vector<Stretch>& parts) {
  Block all = 0;
  for (const Stretch& part : parts) all += part.blocks();
  const Block length = std::clamp(all / kUsualGranules, kLeastGranule, kLongestGranule);
  std::vector<Stretch> granules;
  for (const Stretch& part : parts)
    for (Block first = part.first; first < part.end; first += length)
      granules.push_back({part.part, first, std::min(first + length, part.end)});
  return granules;
}

Slices::Slices(Line line, std::vector<Stretch> to) : line_(line), to_(std::move(to)) {
  for (const Stretch& part : to_) total_ += part.blocks();
}

Block Slices::At(const Sample& sample) const {
  Block before = 0;
  for (const Stretch& part : to_) {
    if (part.part == sample.part) {
      const Block block = std::min(sample.block, part.blocks());
      if (line_ == Line::kInTurn) return before + block;
      return part.blocks() == 0 ? 0 : block * total_ / part.blocks();
    }
    before += part.blocks();
  }
  return 0;
}

// The share of the samples that are near the middle one of their granule.
double Slices::Arrange(const std::vector<Stretch>& granules, const std::vector<Sample>& samples) {
  std::vector<std::vector<Block>> found(granules.size());
  for (const Sample& sample : samples) found.at(sample.granule).push_back(At(sample));
  std::size_t near = 0;
  std::size_t met = 0;
  Block last = 0;
  for (std::size_t i = 0; i < granules.size(); ++i) {
    std::vector<Block>& places = found[i];
    if (!places.empty()) {
      std::ranges::sort(places);
      last = places[places.size() / 2];
      ++met;
    }
    for (const Block place : places)
      if (std::abs(place - last) <= std::max(kNear, 2 * granules[i].blocks())) ++near;
    // One without a sample goes with the one before.
    granules_.push_back({granules[i], last});
  }
  std::ranges::stable_sort(granules_, {}, &Granule::at);
  if (granules.empty()) return 1;
  constexpr Block kLongest = 32;
  Block blocks = 1;
  for (const Stretch& granule : granules) blocks += granule.blocks();
  longer_ = std::clamp<Block>(total_ / blocks, 1, kLongest);
  if (2 * met < granules.size()) return 0;
  return static_cast<double>(near) / static_cast<double>(samples.size());
}

std::optional<Slices> Slices::Of(std::vector<Stretch> granules, std::vector<Stretch> to,
                                 const std::vector<Sample>& samples) {
  if (granules.size() > kMostGranules) return std::nullopt;
  for (const Line line : {Line::kInTurn, Line::kAtOnce}) {
    if (line == Line::kAtOnce && to.size() > kMostStretches) break;
    Slices slices(line, to);
    if (slices.Arrange(granules, samples) >= kMostAreNear) return slices;
  }
  return std::nullopt;
}

// From the last cut to the end, which comes nearer where too many parts are between.
std::vector<Stretch> Slices::Cut(Block& end) const {
  std::vector<Stretch> stretches;
  Block before = 0;
  for (const Stretch& part : to_) {
    const auto place = [&](Block at) {
      if (line_ == Line::kInTurn) return std::clamp(at - before, Block{0}, part.blocks());
      return part.blocks() * at / total_;
    };
    const Stretch stretch{part.part, place(cut_), place(end)};
    if (stretch.blocks() > 0 && stretches.size() == kMostStretches) {
      end = before;
      break;
    }
    if (stretch.blocks() > 0) stretches.push_back(stretch);
    before += part.blocks();
  }
  return stretches;
}

std::optional<Slice> Slices::Take(Block blocks) {
  if (next_ == granules_.size() && cut_ == total_) return std::nullopt;
  blocks = std::max<Block>(blocks, 1);
  std::size_t next = next_;
  std::vector<Stretch> taken;
  for (Block sum = 0; next < granules_.size() && sum < blocks; ++next) {
    taken.push_back(granules_[next].blocks);
    sum += taken.back().blocks();
  }
  Slice slice;
  for (slice.from = Merged(taken); slice.from.size() > kMostStretches; slice.from = Merged(taken)) {
    const std::size_t less = taken.size() / 2;
    next -= taken.size() - less;
    taken.resize(less);
  }
  Block end = total_;
  // Rounded up: the last granule's block itself belongs to it, where parts have one or two.
  if (next < granules_.size())
    end = std::clamp((granules_[next - 1].at + granules_[next].at + 1) / 2, cut_, total_);
  // A copy that is far longer here than the table: by itself, so that no slice is too long.
  const Block most = 4 * std::max(blocks, kLeastGranule) * longer_;
  if (end - cut_ > most) {
    end = cut_ + most;
    slice.from.clear();
    next = next_;
  }
  slice.to = Cut(end);
  cut_ = end;
  next_ = next;
  return slice;
}

}  // namespace pgalter::verify

// Progress of a run for people and scripts. The lines are pure functions of run::Progress;
// ShowProgress prints them until it is cancelled.
#pragma once

#include <string>

#include "cli/context.h"
#include "engine/run/progress.h"

namespace pgalter::cli {

// So many characters of it at most, as a terminal counts them.
std::string Cut(const std::string& text, std::size_t width);

// A run that rests has no speed and no pace.
enum class Motion { kMoving, kResting };

// "backfill 42.1 %, 420,000 of about 1,000,000 rows, 12,345 rows/s, ETA 40 s to 60 s, HOT 83 %, …"
std::string ProgressLine(const run::Progress& progress, Motion motion = Motion::kMoving);

// A bar and the same in short, cut to the terminal's width.
std::string ProgressBar(const run::Progress& progress, std::size_t width, Color color);

// Whether a terminal can move its cursor and show colours: TERM=dumb says no.
bool KnowsEscapes();

// A line that is drawn again in place, on stderr; gone with the object.
class LiveLine {
 public:
  LiveLine() = default;
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;
  ~LiveLine();
  void Draw(const std::string& text);
  void Clear();

  static bool Possible(const Context& context);  // stderr is a terminal, and output is for people
  static std::size_t Width();

 private:
  bool drawn_ = false;
};

// A sentence beside it: not behind what is drawn.
void SayAmid(const Context& context, const std::string& text);

// On a terminal one live line; elsewhere a line every 10 s; with JSON a value every 10 s on stdout.
Task<> ShowProgress(const Context& context, std::string run, const run::Progress& progress);

}  // namespace pgalter::cli

#include "cli/main_loop.h"

int main(int argc, char** argv) {
  return static_cast<int>(pgalter::cli::Main({argv + 1, argv + argc}));
}

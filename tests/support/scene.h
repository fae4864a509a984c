// Scenes that are about time itself: how long users wait, how soon something is seen, what happens
// while a lock is held. Whatever the machine keeps standing meanwhile breaks them, and it is a
// machine with other things to do.
#pragma once

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <exception>

namespace pgalter::test {

// Plays a scene, from its beginning and on its own data, until one of so many plays is without a
// failure; what fails in all of them is the product's fault, and the last one says it.
template <class Scene>
void PlayUntilRight(int plays, Scene scene) {
  const auto play = [&scene] {
    try {
      scene();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  };
  for (int i = 1; i < plays; ++i) {
    ::testing::TestPartResultArray said;
    {
      const ::testing::ScopedFakeTestPartResultReporter kept(
          ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &said);
      play();
    }
    const char* failure = nullptr;
    for (int at = 0; at < said.size() && failure == nullptr; ++at)
      if (said.GetTestPartResult(at).failed()) failure = said.GetTestPartResult(at).message();
    if (failure == nullptr) return;
    std::printf("play %d of %d failed: %s\n", i, plays, failure);
  }
  play();
}

}  // namespace pgalter::test

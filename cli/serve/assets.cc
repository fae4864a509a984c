#include "cli/serve/assets.h"

#include "serve/embedded_page.h"

namespace pgalter::cli::serve {

const Asset* FindAsset(std::string_view name) {
  for (const Asset& asset : kAssets)
    if (asset.name == name) return &asset;
  return nullptr;
}

}  // namespace pgalter::cli::serve

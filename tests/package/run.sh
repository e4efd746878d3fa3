#!/bin/sh
# run.sh BUILD_DIR: installs that build into a scratch folder, moves it, and builds and runs the
# strangers against it with the build's own compiler. Ends in "N passed, M failed".
set -eu
build=$(cd "$1" && pwd)
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

CXX=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
export CXX
cmake --install "$build" --prefix "$scratch/first" >"$scratch/install.log"
mv "$scratch/first" "$scratch/prefix" # an installed tree must not know where it lies
PKG_CONFIG_PATH=$(dirname "$(find "$scratch/prefix" -name asyncio.pc)")
export PKG_CONFIG_PATH

with_cmake() { # with_cmake FOLDER
  cmake -S "$1" -B "$scratch/$1" -G Ninja -DCMAKE_PREFIX_PATH="$scratch/prefix" &&
    cmake --build "$scratch/$1"
}

with_make() {
  mkdir "$scratch/pkg_config" && make -C pkg_config OUT="$scratch/pkg_config"
}

passed=0 failed=0
try() { # try NAME COMMAND...
  name=$1
  shift
  if "$@" >"$scratch/$name.log" 2>&1 && "$scratch/$name/stranger"; then
    echo "ok      $name"
    passed=$((passed + 1))
  else
    echo "FAILED  $name"
    tail -n 20 "$scratch/$name.log"
    failed=$((failed + 1))
  fi
}

try find_package with_cmake find_package
try subdirectory with_cmake subdirectory
try pkg_config with_make
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

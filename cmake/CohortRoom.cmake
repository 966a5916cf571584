# A room is one folder and one static library; its tests are one program.

# cohort_room(NAME DEPS target...): every .cc below this folder becomes the library cohort_NAME.
function(cohort_room name)
  cmake_parse_arguments(room "" "" "DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  if(sources)
    add_library(cohort_${name} STATIC ${sources})
    target_include_directories(cohort_${name} PUBLIC "${CMAKE_SOURCE_DIR}")
    target_link_libraries(cohort_${name} PUBLIC ${room_DEPS})
  else()
    add_library(cohort_${name} INTERFACE)
    target_include_directories(cohort_${name} INTERFACE "${CMAKE_SOURCE_DIR}")
    target_link_libraries(cohort_${name} INTERFACE ${room_DEPS})
  endif()
endfunction()

# All unit tests, and those of rooms that have threads: what scripts/sanitize.sh builds.
add_custom_target(unit_tests)
add_custom_target(threads_tests)

# cohort_unit_test(NAME [THREADS] DEPS target...): every .cc below tests/unit/NAME becomes the program unit_NAME and one
# ctest with the label unit; THREADS adds the label threads.
function(cohort_unit_test name)
  cmake_parse_arguments(unit "THREADS" "" "DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/${name}/*.cc")
  if(NOT sources)
    return()
  endif()
  add_executable(unit_${name} ${sources})
  target_link_libraries(unit_${name} PRIVATE catch_main ${unit_DEPS})
  add_test(NAME unit_${name} COMMAND unit_${name})
  add_dependencies(unit_tests unit_${name})
  set_property(TEST unit_${name} APPEND PROPERTY LABELS unit)
  if(unit_THREADS)
    add_dependencies(threads_tests unit_${name})
    set_property(TEST unit_${name} APPEND PROPERTY LABELS threads)
  endif()
endfunction()

/*
 * banned.h - calls nobody makes here, included before every source by the build.
 *
 * Each has no bound, shares hidden state between threads, or starts a shell.
 * The headers that declare them come first, so that only a use is caught.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef strtok
#undef sprintf
#undef vsprintf
#undef gmtime
#undef localtime
#undef ctime
#undef asctime
#undef rand
#undef srand
#undef atoi
#undef atol
#undef atoll
#undef atof
#undef system
#undef popen
#undef tmpnam
#undef mktemp

#define strcpy(...) strcpy_is_banned_copy_a_slice
#define strcat(...) strcat_is_banned_use_a_buffer
#define strncpy(...) strncpy_is_banned_copy_a_slice
#define strncat(...) strncat_is_banned_use_a_buffer
#define strtok(...) strtok_is_banned_cut_a_slice
#define sprintf(...) sprintf_is_banned_use_snprintf
#define vsprintf(...) vsprintf_is_banned_use_vsnprintf
#define gmtime(...) gmtime_is_banned_use_gmtime_r
#define localtime(...) localtime_is_banned_use_localtime_r
#define ctime(...) ctime_is_banned_use_strftime
#define asctime(...) asctime_is_banned_use_strftime
#define rand(...) rand_is_banned_ask_for_entropy
#define srand(...) srand_is_banned_ask_for_entropy
#define atoi(...) atoi_is_banned_it_cannot_fail
#define atol(...) atol_is_banned_it_cannot_fail
#define atoll(...) atoll_is_banned_it_cannot_fail
#define atof(...) atof_is_banned_it_cannot_fail
#define system(...) system_is_banned_no_shell
#define popen(...) popen_is_banned_no_shell
#define tmpnam(...) tmpnam_is_banned_use_mkstemp
#define mktemp(...) mktemp_is_banned_use_mkstemp

#endif

// What C programs do with wasi-libc, unchanged: files, folders, variables, clocks, randomness, formatting.

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void files(void) {
  FILE *file = fopen("/notes", "w+");
  assert(file != NULL);
  assert(fprintf(file, "%d %s %.3f\n", 42, "line", 1.5) == 14);
  rewind(file);
  char line[64];
  assert(fgets(line, sizeof line, file) != NULL && strcmp(line, "42 line 1.500\n") == 0);
  assert(fseek(file, 3, SEEK_SET) == 0 && fgetc(file) == 'l');
  assert(fclose(file) == 0);
  struct stat found;
  assert(stat("/notes", &found) == 0 && found.st_size == 14 && S_ISREG(found.st_mode));
  int descriptor = open("/notes", O_RDWR | O_APPEND);
  assert(write(descriptor, "more", 4) == 4 && lseek(descriptor, 0, SEEK_END) == 18);
  assert(pread(descriptor, line, 4, 14) == 4 && memcmp(line, "more", 4) == 0);
  assert(ftruncate(descriptor, 2) == 0 && close(descriptor) == 0);
}

static void folders(void) {
  assert(mkdir("/folder", 0700) == 0 && mkdir("/folder", 0700) == -1 && errno == EEXIST);
  assert(rename("/notes", "/folder/notes") == 0 && symlink("notes", "/folder/link") == 0);
  char text[16];
  assert(readlink("/folder/link", text, sizeof text) == 5 && memcmp(text, "notes", 5) == 0);
  assert(access("/folder/link", R_OK) == 0);
  DIR *folder = opendir("/folder");
  int count = 0;
  while (readdir(folder) != NULL) count++;
  assert(closedir(folder) == 0 && count == 4);
  assert(rmdir("/folder") == -1 && errno == ENOTEMPTY);
  assert(unlink("/folder/link") == 0 && unlink("/folder/notes") == 0 && rmdir("/folder") == 0);
}

static void outside(void) {
  const char *paths[] = {"/../outside", "../../outside", "/etc/passwd", "/proc/self/mem"};
  for (unsigned index = 0; index < 4; index++) assert(fopen(paths[index], "r") == NULL);
  assert(symlink("/etc", "/etc") == -1);
  symlink("../outside", "/inside"); // whether it can be made or not, it leads nowhere
  assert(open("/inside/file", O_RDONLY) == -1);
  unlink("/inside");
}

static void process(int count, char **arguments) {
  assert(count == 2 && strcmp(arguments[1], "argument") == 0);
  assert(strcmp(getenv("GRANTED"), "value") == 0 && getenv("PATH") == NULL && getenv("HOME") == NULL);
  struct timespec now, later, pause = {0, 5000000};
  assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && nanosleep(&pause, NULL) == 0);
  assert(clock_gettime(CLOCK_MONOTONIC, &later) == 0);
  assert((later.tv_sec - now.tv_sec) * 1000000000 + later.tv_nsec - now.tv_nsec >= 5000000);
  unsigned char one[16], two[16];
  assert(getentropy(one, 16) == 0 && getentropy(two, 16) == 0 && memcmp(one, two, 16) != 0);
}

int main(int count, char **arguments) {
  files();
  folders();
  outside();
  process(count, arguments);
  char *memory = malloc(1 << 20);
  assert(memory != NULL);
  free(memory);
  char line[32];
  while (fgets(line, sizeof line, stdin) != NULL) printf("read: %s", line);
  fprintf(stderr, "stdio: all as it should be\n");
  return 3;
}

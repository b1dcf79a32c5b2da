/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs a fuzz target over files, so that what a fuzzer once found is tested by every ordinary build. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Whether what became of the inputs is what can be expected of them; of targets that count. */
bool fuzz_enough(int inputs) __attribute__((weak));

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		uint8_t *data;
		long bytes;

		if (!file || fseek(file, 0, SEEK_END) || (bytes = ftell(file)) < 0 || fseek(file, 0, SEEK_SET)) {
			perror(argv[i]);
			return 1;
		}
		data = malloc((size_t)bytes + 1);	/* exactly as long, so that a sanitizer sees reads beyond */
		if (!data || fread(data, 1, (size_t)bytes, file) != (size_t)bytes)
			return 1;
		fclose(file);
		data = realloc(data, (size_t)bytes ? (size_t)bytes : 1);
		LLVMFuzzerTestOneInput(data, (size_t)bytes);
		free(data);
	}
	printf("%d inputs\n", argc - 1);
	return argc < 2 || (fuzz_enough && !fuzz_enough(argc - 1));
}

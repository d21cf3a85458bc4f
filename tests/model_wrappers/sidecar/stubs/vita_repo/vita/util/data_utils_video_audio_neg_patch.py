def dynamic_preprocess(image, min_num=2, max_num=12, image_size=448, use_thumbnail=False):
    assert (min_num, max_num, image_size, use_thumbnail) == (1, 12, 448, True)
    return [image] * 3, [3]
